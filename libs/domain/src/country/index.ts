export * from './country-setting.js';
