import { serveTabs } from '@runnel/client/share-worker';

serveTabs();
