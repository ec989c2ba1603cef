export { ASSERTION_ALGORITHMS, MAX_ASSERTION_SECONDS } from './backend-assertion.js';
export { englishWords, type BackendSystem, type DemoAccount, type DemoApp, type DemoOpenIdConfig, type LoginPageWords } from './config.js';
export { mountDemoOpenId, type DemoOpenId } from './demo-open-id.js';
export { smartConfiguration, type SmartConfiguration } from './smart-configuration.js';
export { walkCodeFlow, type CodeFlowWalk, type WalkedTokens } from './walk-code-flow.js';
