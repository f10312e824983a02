import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApi } from "../../shared/api/openapi.ts";

/** What Cloudflare serves as `/openapi.json`. */
export const file = join(import.meta.dirname, "../../public/openapi.json");

export function openApiText(): string {
  return `${JSON.stringify(openApi(), null, 1)}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(file, openApiText());
