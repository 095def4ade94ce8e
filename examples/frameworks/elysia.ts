/** Elysia: it listens by itself. In a worker its port isn't opened. `gunicorn-ts -w 2 elysia.ts` */
import { Elysia, t } from "elysia";

new Elysia()
  .get("/", () => "Hello Elysia")
  .post("/echo", ({ body }) => body, { body: t.Object({ name: t.String() }) })
  .listen(3000);
