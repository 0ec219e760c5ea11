import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'greennb:badges',
  autoStart: true,
  activate: () => undefined
};

export default plugin;
