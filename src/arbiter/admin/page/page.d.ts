/** `page.js` is imported as a text. */
declare const script: string;
export default script;
