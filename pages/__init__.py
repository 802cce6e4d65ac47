"""The screens: one thin script per page, the steps of the wizard and their shared parts."""
