/** The page's parts in one text. They are imported when somebody asks for it, and the bundle has them as texts too. */
import styles from "./page.css" with { type: "text" };
import markup from "./page.html" with { type: "text" };
// oxlint-disable-next-line import/default -- it isn't run here.
import script from "./page.js" with { type: "text" };

// By its name bun-types take it for a bundle of Bun's.
const html = markup as unknown as string;

interface Page {
  readonly text: string;
  /** For a server with a token: it asks for that first. */
  readonly guarded: string;
  /** Content-Security-Policy: nothing runs, and nothing is loaded, but what is in the page. */
  readonly policy: string;
}

const text = html
  .replace(/\s*\/\* styles \*\/\s*/, () => styles)
  .replace(/\s*\/\* script \*\/\s*/, () => script);

export const page: Page = {
  text,
  guarded: text.replace("<html ", "<html data-guarded "),
  policy: [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(styles)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
};

/** CSP 3 §2.3.1: of the text between the tags. */
function hashOf(text: string): string {
  return `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;
}
