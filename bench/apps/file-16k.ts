import { benchFile } from "../bench-file.ts";

const path = benchFile(16_384);

export function fetch(): Response {
  return new Response(Bun.file(path));
}
