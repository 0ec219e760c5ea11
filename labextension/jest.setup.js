/** What a browser has and jsdom lacks. */
const { TextDecoder, TextEncoder } = require('util');

class DragEvent extends MouseEvent {}

const matchMedia = media => ({ media, matches: false, addEventListener() {}, removeEventListener() {} });

const requestIdleCallback = callback => setTimeout(callback);

Object.assign(globalThis, { DragEvent, TextDecoder, TextEncoder, matchMedia, requestIdleCallback });
