"""The mapping templates that make a function's event of a request when `integration: lambda` is used.

The keys of the event are documented: Serverless Framework documentation, "REST API", section "Request parameters" of
the Lambda integration. @CLAIMS@ is replaced by the claims that the endpoint's authorizer is asked for.
"""

_MAP = r"""
#define($entries)
{#foreach($name in $source.keySet())
"$util.escapeJavaScript($name)": "$util.escapeJavaScript($source.get($name)).replaceAll("\\'", "'")"#if($foreach.hasNext),#end
#end}
#end
"""  # noqa: E501  A line break inside of a string would reach the function.

_EVENT = """
{
  "body": $body,
  "method": "$context.httpMethod",
  "principalId": "$context.authorizer.principalId",
  "stage": "$context.stage",
  "cognitoPoolClaims": {@CLAIMS@"sub": "$context.authorizer.claims.sub"},
  #set($source = $context.authorizer)
  "enhancedAuthContext": $entries,
  #set($source = $input.params().header)
  "headers": $entries,
  #set($source = $input.params().querystring)
  "query": $entries,
  #set($source = $input.params().path)
  "path": $entries,
  #set($source = $context.identity)
  "identity": $entries,
  #set($source = $stageVariables)
  "stageVariables": $entries,
  "requestPath": "$context.resourcePath"
}
"""

JSON_TEMPLATE = f"""#set($body = $input.json("$")){_MAP}{_EVENT}"""

_FORM_BODY = r"""#define($body)
{#foreach($pair in $input.path('$').split('&'))
#set($parts = $pair.split('='))
#set($field = $util.escapeJavaScript($util.urlDecode($parts[0])))
#set($content = '')
#if($parts.size() >= 2)
#set($content = $util.escapeJavaScript($util.urlDecode($parts[1])).replaceAll("\\'", "'"))
#end
"$field": "$content"#if($foreach.hasNext),#end
#end}
#end
"""

FORM_TEMPLATE = f"""{_FORM_BODY}{_MAP}{_EVENT}"""
