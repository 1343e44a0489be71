module.exports = { answer: Promise.resolve('forty-two') };
