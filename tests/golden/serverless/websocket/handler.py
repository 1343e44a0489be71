"""A function for the compiler to name."""


def main(event, context):
    return {"statusCode": 200}
