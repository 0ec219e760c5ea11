/** greennb's own icons, in the theme's colour for icons; the others are JupyterLab's. */
import { LabIcon } from '@jupyterlab/ui-components';

const LEAF = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M20.5 3.2C12 3 5.6 5.4 4.3 10.6c-.8 3 .2 5.6 2 7.2C7.3 13.6 10 10.7 14.2 9c-3.6 2.3-6.2 5.5-7 10.8l-.2 1.7h2.2l.2-1.9c5.8 1.2 9.5-1.8 10.6-7.1.5-2.6.6-5.6.5-9.3z"/>
</svg>`;

export const leafIcon = new LabIcon({ name: 'greennb:leaf', svgstr: LEAF });

const PAUSE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M6 5h4v14H6zM14 5h4v14h-4z"/>
</svg>`;

export const pauseIcon = new LabIcon({ name: 'greennb:pause', svgstr: PAUSE });
