"""What boto3 reads when a function makes its first client, read in the zygote: once for all forks.

Runs on the function's interpreter (Python 3.10 or newer). A client is made and thrown away, so that the modules are
loaded and what Python compiles on the way is compiled. The data files that it and the commonest other services need
are parsed and kept.

One decision to know: a parsed file is given away once, to the first that asks in a process; who asks again parses
again. So nothing is shared that was not shared before, and nothing is held that nobody wants.
"""

_COMMON = ("dynamodb", "s3", "sqs", "sns", "ssm", "secretsmanager", "lambda", "events")
_KINDS = ("service-2", "endpoint-rule-set-1")
_LISTED = ("service-2", "resources-1", "endpoint-rule-set-1", "paginators-1", "waiters-2")


def warm():
    import boto3
    import boto3.session
    from botocore import loaders

    recorded = []
    load_file = loaders.JSONFileLoader.load_file

    def record(self, path):
        recorded.append(path)
        return load_file(self, path)

    loaders.JSONFileLoader.load_file = record
    try:
        _rehearse(boto3.session)
    finally:
        loaders.JSONFileLoader.load_file = load_file
    places = [loaders.Loader.BUILTIN_DATA_PATH, boto3.__path__[0] + "/data"]
    loader = loaders.Loader()
    for service in _COMMON:
        for kind in _KINDS:
            version = loader.determine_latest_version(service, kind)
            recorded.append("/".join((places[0], service, version, kind)))
    _give_away(
        loaders, {path: load_file(loader.file_loader, path) for path in recorded if path.startswith(tuple(places))}
    )
    _remember_services(loaders, places)
    _look_at_flags()


def _rehearse(sessions):
    session = sessions.Session("rehearsal", "rehearsal", region_name="us-east-1")
    session.resource("dynamodb", endpoint_url="http://127.0.0.1:9").Table("rehearsal")


def _give_away(loaders, parsed):
    load_file = loaders.JSONFileLoader.load_file

    def take_or_load(self, path):
        found = parsed.pop(path, None)
        return load_file(self, path) if found is None else found

    loaders.JSONFileLoader.load_file = take_or_load


def _remember_services(loaders, places):
    """Which services there are, without a look into each of four hundred folders, three times a client."""
    list_services = loaders.Loader.list_available_services
    known = {}
    for place in places:
        for kind in _LISTED:
            alone = loaders.Loader([place], include_default_search_paths=False)
            known[place, kind] = frozenset(list_services(alone, kind))

    def remember_or_list(self, type_name):
        found = [known.get((place, type_name)) for place in self._potential_locations()]
        if None in found:
            return list_services(self, type_name)
        return sorted(frozenset().union(*found))

    loaders.Loader.list_available_services = remember_or_list


def _look_at_flags():
    """Whether a handler takes any keywords is a flag of its code; botocore makes a signature of each to find out."""
    from botocore import hooks

    accepts_kwargs = hooks.accepts_kwargs

    def accepts(handler):
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None)
        if code is None or vars(function):
            return accepts_kwargs(handler)
        return bool(code.co_flags & 8)

    hooks.accepts_kwargs = accepts
