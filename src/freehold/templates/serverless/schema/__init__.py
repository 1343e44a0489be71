from freehold.aws.call import Json
from freehold.templates.serverless.documents import Document


def check_configuration(configuration: Json, document: Document) -> list[str]:
    return []
