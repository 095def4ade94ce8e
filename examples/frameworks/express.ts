/** Express: it listens by itself. In a worker its port isn't opened. `gunicorn-ts -w 2 express.ts` */
import express from "express";

const app = express();

app.use(express.json());
app.get("/", (_request, response) => void response.send("Hello Express"));
app.post("/echo", (request, response) => void response.json(request.body));

app.listen(3000);
