const express = require("express4");
const { addRoutes } = require("./shared/express-routes.js");

addRoutes(express(), express).listen(process.env.PORT, () => {});
