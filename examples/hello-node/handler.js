// Says hello: by query parameter, by JSON body, or by path.

exports.hello = async (event, context) => {
  console.log('Request ID:', context.awsRequestId);

  const query = event.queryStringParameters || {};
  const body = event.body ? JSON.parse(event.body) : {};
  const name = query.name || body.name || 'Guest';
  const { userId } = event.pathParameters || {};

  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    // A userId that is undefined is left out by JSON.stringify.
    body: JSON.stringify({
      message: `Hello, ${name}!`,
      stage: process.env.STAGE,
      requestId: context.awsRequestId,
      userId,
    }),
  };
};
