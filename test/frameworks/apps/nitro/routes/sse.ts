import { createEventStream, defineHandler } from "nitro/h3";
import { wordByWord } from "../../shared/parts.js";

export default defineHandler((event) => {
  const out = createEventStream(event);
  void (async () => {
    for await (const data of wordByWord((word) => word)) await out.push({ event: "word", data });
    await out.close();
  })();
  return out.send();
});
