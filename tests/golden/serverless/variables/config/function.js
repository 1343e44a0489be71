module.exports = async ({ options, resolveVariable }) => ({
  value: `${options.stage || 'no option'} ${await resolveVariable('self:service')}`,
});
