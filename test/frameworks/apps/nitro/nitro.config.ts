import { defineNitroConfig } from "nitro/config";

export default defineNitroConfig({
  preset: "bun",
  serverDir: "./",
  compatibilityDate: "2026-01-01",
  sourceMap: false,
});
