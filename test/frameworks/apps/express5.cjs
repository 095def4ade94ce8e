const express = require("express");
const { addRoutes } = require("./shared/express-routes.js");

const app = addRoutes(express(), express);
module.exports = app;

if (require.main === module) app.listen(process.env.PORT);
