"""The headless core of Onramp: files in, unified profiles out.

Imports neither streamlit nor plotly; everything the screens and the command line do is a service in here.
"""

__version__ = "0.1.0"
