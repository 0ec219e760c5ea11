/** greennb in JupyterLab and Notebook: small plugins over one model. */
import badges from './plugins/badges';
import commands from './plugins/commands';
import mime from './plugins/mime';
import model from './plugins/model';
import panel from './plugins/panel';
import status from './plugins/status';

export default [model, panel, badges, mime, status, commands];
