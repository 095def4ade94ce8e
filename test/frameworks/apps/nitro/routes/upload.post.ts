import { defineHandler } from "nitro/h3";
import { sha256 } from "../../shared/parts.js";

export default defineHandler(async (event) => {
  const form = await event.req.formData();
  const { name, type, size } = form.get("file");
  return {
    note: form.get("note"),
    name,
    type,
    size,
    sha256: sha256(await form.get("file").bytes()),
  };
});
