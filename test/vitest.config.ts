import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests that need Node itself (the carrier, the command line, SignalWire's SDK) end in `.node.test.ts`. */
const nodeTests = "test/**/*.node.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
          }),
        ],
        test: { name: "workerd", include: ["test/**/*.test.ts"], exclude: [nodeTests] },
      },
      { test: { name: "node", include: [nodeTests] } },
    ],
  },
});
