"""Batch onboarding of Audience Manager: file names, line grammar, ids, id synchronisation.

The rules are those of the published pages, with numbered decisions (D-01 to D-53) where these are silent or disagree.
Sections named as "spec §5.1" are those of the behavioural specification made from them.
"""
