/** jest reads our TypeScript and JupyterLab's ES modules alike. */
const typescript = [
  'ts-jest',
  {
    tsconfig: {
      allowJs: true,
      esModuleInterop: true,
      isolatedModules: true, // types are checked by `jlpm check`
      jsx: 'react',
      module: 'commonjs',
      resolveJsonModule: true,
      target: 'ES2020'
    }
  }
];

module.exports = {
  testEnvironment: 'jsdom',
  roots: ['<rootDir>/src'],
  testMatch: ['**/__tests__/**/*.spec.ts', '**/__tests__/**/*.spec.tsx'],
  setupFiles: ['<rootDir>/jest.setup.js'],
  transform: {
    '^.+\\.(tsx?|m?js)$': typescript,
    '\\.(css|svg)$': '<rootDir>/jest.text.js'
  },
  transformIgnorePatterns: [
    '/node_modules/(?!(@jupyter|@jupyterlab|@lumino|@microsoft|exenv-es6|lib0|nanoid|vscode-ws-jsonrpc|y-protocols|y-websocket|yjs)/)'
  ]
};
