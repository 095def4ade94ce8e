import express from "express";
import { addRoutes } from "./shared/express-routes.js";

const app = express();
addRoutes(app, express);
app.listen(process.env.PORT, (error) => {
  if (error) throw error;
});
