/** greennb's own icons, in the theme's colour for icons; the others are JupyterLab's. */
import { LabIcon } from '@jupyterlab/ui-components';

const LEAF = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M20.5 3.2C12 3 5.6 5.4 4.3 10.6c-.8 3 .2 5.6 2 7.2C7.3 13.6 10 10.7 14.2 9c-3.600 2.300-6.200 5.500-7 10.800l-.2 1.700h2.200l.2-1.900c5.800 1.200 9.500-1.800 10.600-7.100.5-2.600.6-5.600.5-9.300z"/>
</svg>`;

export const leafIcon = new LabIcon({ name: 'greennb:leaf', svgstr: LEAF });

const PAUSE = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M6 5h4v14H6zM14 5h4v14h-4z"/>
</svg>`;

export const pauseIcon = new LabIcon({ name: 'greennb:pause', svgstr: PAUSE });
