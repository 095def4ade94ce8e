import { benchFile } from "../bench-file.ts";

const path = benchFile(1_048_576);

export function fetch(): Response {
  return new Response(Bun.file(path));
}
