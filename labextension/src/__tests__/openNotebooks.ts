/** The model of open notebooks, as a JupyterLab has it. */
import { nullTranslator } from '@jupyterlab/translation';

import { HostPower } from '../hostPower';
import { EnergyModel } from '../model';
import type { NotebookEnergy } from '../notebookEnergy';
import { type FakePanel, FakeTracker } from './fakeNotebook';
import { FakeServer } from './fakeServer';

const models = new Set<EnergyModel>();

export function opened(...panels: FakePanel[]) {
  const tracker = new FakeTracker();
  const dialogs = { selectKernel: jest.fn(), restart: jest.fn() };
  const server = new FakeServer();
  const model = new EnergyModel({
    tracker: tracker.tracker,
    dialogs,
    trans: nullTranslator.load('greennb'),
    host: new HostPower(server.settings)
  });
  models.add(model);
  panels.forEach(panel => tracker.open(panel));
  const energy = model.current as NotebookEnergy;
  return { model, tracker, energy, server };
}

/** Let go of every model since the last time. */
export function closeAll(): void {
  models.forEach(model => model.dispose());
  models.clear();
}
