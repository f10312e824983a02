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
            miniflare: {
              bindings: {
                PUBLIC_URL: "https://partyline.test",
                ADMIN_TOKEN: "test-admin-token",
                CREDENTIALS_KEY: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
              },
            },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: [nodeTests],
          globalSetup: ["test/carrier-process.ts"],
          setupFiles: ["test/lose-objects.ts"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: "node", include: [nodeTests], testTimeout: 20_000 } },
    ],
  },
});
