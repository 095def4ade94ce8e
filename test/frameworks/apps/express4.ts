import express from "express4";
import { addRoutes } from "./shared/express-routes.js";

const app = express();
addRoutes(app, express);
export default app;

if (import.meta.main) app.listen(process.env.PORT);
