import { createApp } from "./shared/elysia-app.js";

const app = createApp();
export default app;

if (import.meta.main) app.listen(process.env.PORT ?? 3000);
