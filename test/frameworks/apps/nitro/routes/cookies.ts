import { defineHandler, parseCookies, setCookie } from "nitro/h3";

export default defineHandler((event) => {
  setCookie(event, "a", "1");
  setCookie(event, "b", "2", { httpOnly: true });
  return { ...parseCookies(event) };
});
