import { createApp } from "./shared/elysia-app.js";

createApp().listen(process.env.PORT ?? 3000);
