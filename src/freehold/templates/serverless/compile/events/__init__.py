"""What can call a function, a module each. `compile_events(compilation)` adds everything an event kind needs.

Owns:    nothing.
Not:     the settings an event may have (serverless/schema), serving events (gateway, events).
Imports: templates/serverless/{compile,names,service}
Start:   the table below, then schedule.py
Add:     a module and its line in EVENTS; the order is that of the statements in the shared role.
"""

from types import ModuleType

from freehold.templates.serverless.compile.events import (
    alb,
    alexa,
    cloud_front,
    cloudwatch,
    cognito_user_pool,
    event_bridge,
    http,
    http_api,
    iot,
    kafka,
    message_brokers,
    msk,
    s3,
    schedule,
    sns,
    sqs,
    stream,
    websocket,
)

# A kind of event -> the module that compiles all events of it (some modules know two kinds).
EVENTS: dict[str, ModuleType] = {
    "schedule": schedule,
    "s3": s3,
    "http": http,
    "websocket": websocket,
    "sns": sns,
    "stream": stream,
    "kafka": kafka,
    "activemq": message_brokers,
    "rabbitmq": message_brokers,
    "msk": msk,
    "alb": alb,
    "alexaSkill": alexa,
    "alexaSmartHome": alexa,
    "iot": iot,
    "iotFleetProvisioning": iot,
    "cloudwatchEvent": cloudwatch,
    "cloudwatchLog": cloudwatch,
    "cognitoUserPool": cognito_user_pool,
    "eventBridge": event_bridge,
    "sqs": sqs,
    "cloudFront": cloud_front,
    "httpApi": http_api,
}
