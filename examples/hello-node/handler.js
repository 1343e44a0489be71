// Says hello: by query parameter or by JSON body.

exports.hello = async (event, context) => {
  console.log('Request ID:', context.awsRequestId);

  const query = event.queryStringParameters || {};
  const body = event.body ? JSON.parse(event.body) : {};
  const name = query.name || body.name || 'Guest';

  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      message: `Hello, ${name}!`,
      stage: process.env.STAGE,
      requestId: context.awsRequestId,
    }),
  };
};
