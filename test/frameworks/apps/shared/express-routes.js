/** What the apps of Express 4 and 5 do, on an app of either. */
import compression from "compression";
import session from "express-session";
import multer from "multer";
import { leave, measured, sse, stream } from "./node-parts.js";
import { large, left, publicFolder, sha256, text } from "./parts.js";

export function addRoutes(app, express) {
  app.set("trust proxy", "loopback");
  app.use(compression());
  app.use("/session", session({ secret: "a secret", resave: false, saveUninitialized: true }));
  app.get("/session", (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.json({ visits: req.session.visits });
  });
  app.get("/query", (req, res) => res.json({ query: req.query }));
  app.post("/json", express.json(), (req, res) => res.json({ body: req.body }));
  app.post("/form", express.urlencoded({ extended: true }), (req, res) => {
    res.json({ form: req.body });
  });
  app.post("/upload", multer().single("file"), (req, res) => {
    const { originalname, mimetype, size, buffer } = req.file;
    res.json({ ...req.body, originalname, mimetype, size, sha256: sha256(buffer) });
  });
  app.get("/stream", stream);
  app.get("/sse", sse);
  app.get("/cookies", (req, res) => {
    res.cookie("a", "1").cookie("b", "2", { httpOnly: true }).send(req.headers.cookie);
  });
  app.get("/redirect", (req, res) => res.redirect("/query?a=redirected"));
  app.get("/throw", () => {
    throw new Error("on purpose");
  });
  app.get("/large", (req, res) => res.type("bin").send(large));
  app.post("/large", async (req, res) => res.json(await measured(req)));
  app.get("/address", (req, res) => res.type("text").send(`${req.ip} ${req.protocol}`));
  app.get("/leave", leave);
  app.get("/left", (req, res) => res.send(String(left.count)));
  app.get("/text", (req, res) => res.type("text").send(text));
  app.use(express.static(publicFolder));
  return app;
}
