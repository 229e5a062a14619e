"""Typed Python packages from OpenAPI 3 documents (extra `spec`). See openapi/README.md.

It shares no code with the client; `victor spec` has its commands.
"""

try:
    import openapi_python_client as _openapi_python_client
    import ruamel.yaml as _ruamel_yaml
    import yaml as _yaml
except ImportError as error:
    raise ImportError(
        f"victor_ext.spec needs {error.name}; install its extra: pip install 'victor-ext[spec]'"
    ) from error

del _openapi_python_client, _ruamel_yaml, _yaml
