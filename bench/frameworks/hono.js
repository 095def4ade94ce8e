import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text("hello"));

export default { hostname: "127.0.0.1", port: Number(process.env["PORT"]), fetch: app.fetch };
