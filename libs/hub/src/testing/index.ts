export { startHubServer, type HubServer, type HubFault } from './hub-server.ts';
