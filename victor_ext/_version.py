"""The version of this package, read by the build and sent as part of the user agent."""

__version__ = "0.1.0"
PRODUCT = f"victor-ext/{__version__}"
"""What `User-Agent` headers call the package."""
