/** Run through tests/browser/run.py, which serves the fronts and says where they are. */
import { defineConfig } from '@playwright/test';

interface IServed {
  name: string;
  address: string;
  /** Whether its kernels see the rig's virtual sensors. */
  virtual: boolean;
}

const fronts: IServed[] = JSON.parse(process.env.GREENNB_FRONTS ?? '[]');
const junit = process.env.GREENNB_JUNIT;

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  // A kernel of its own for each test, on two cores that the servers share.
  workers: 2,
  fullyParallel: false,
  retries: process.env.CI ? 1 : 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: junit ? [['list'], ['junit', { outputFile: junit }]] : [['list']],
  use: {
    viewport: { width: 1280, height: 900 },
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.GREENNB_CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  projects: fronts.map(({ name, address, virtual }) => ({
    name,
    use: { baseURL: address },
    metadata: { virtual },
    testIgnore: process.env.GREENNB_SCREENSHOTS ? [] : /screenshots/,
    // What needs a front of its own kind says so in its file's name.
    testMatch: name === 'lab' ? /.*\.spec\.ts/ : /.*\.everywhere\.spec\.ts/
  }))
});
