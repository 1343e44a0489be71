exports.get=exports.create=exports.update=exports.delete=async()=>({statusCode:200})
