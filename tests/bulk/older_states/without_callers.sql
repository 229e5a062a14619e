-- A bulk state as an older commit left it when it was killed; every name, number and secret in it is made up.
BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('c7ad17b4-1c3f-489c-9b0c-f3d669626d67','victor-bulk-1',1795193730000,1795193730000,'victor-bulk-8d01c928-57324f5f');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',1,'begin','vb1.8d01c928.AGyHTM0J9yVX2Q6EqlNFUTPNuGJPiujJt30zv5UQf0lXcHIkgiPnfwkP56pXme33/HbcKHStmnp16NDa+12/NBOK6cWOvxEYvUWzJrlFnAmC7u0mvNBjWNmxFmu7+TIU',NULL,NULL,1795193730659,1795193730660,'vb1','victor-bulk-8d01c928-57324f5f',1795193730000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',2,'send','vb1.8d01c928.HLp5oiD4735bGTrY32mccfYWZdgSQG3FswgHUSPNybDqPrO+04i2nbeW+JbSD3Wnv/XFBP9O7mtSsdTiXyTnbXMFPj51uLSECGv3xpJOnonNQIpQ1m9zIFnL+bIgrJZqGt5bTGKNChNNePEDnOSttlPLHGZR4LR04ueziz69SOE3oG1mWiNm+DhA5sub8tel0oKN+x1zTYFZJgXU/s9ElVXW6crA6aqyyUiAR/20RSS1guFLWsc2SHFXX2xcXXa/C2KCthhmXFDGS266ikjG7zy6nDYpDEA3qgBnVIzritLNgvWLQg8KBFfXKGz1AAxo2YCrGpFVTnI29O9nVb57Of1WIijrtKeeNR4cLeaLWDoiZ9K0T475hj/WdfGR2KW1c9CTnMj6sMzaHrrr3qjvw0owLIM02JC12p7y4qqfqLHVApe6D9zLXs8xMiW+6j2MoeECWuRj1BbZ1KSG3b9oFXbtsgi/LcWqsCuwA63IQeZWTPVnVQ49rb3RuEK4tsrSn7DRaw7WpDWy/5RnseP2RbES8utGK0VRaWrtMNIgw4ceUQGx1EJMcuA/MZXwc4jwJj7KO3iqhxBlNd9B+dzqI7wJykAYuhw0Lnar7j5wxLorNJ9JwbRVkLV6nnv9ua5PIzTUS/I5lDF3y9yAajMpkgb4IQ6Vld4TZHRo2XDTSpV3LM+DVtdRII5wx9nofF8iBVS3eM7yToBBrRZp',NULL,NULL,1795193730663,1795193737604,'vb1','victor-bulk-8d01c928-57324f5f',1795193737000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000002',1,'begin','vb1.8d01c928.bP5Bv/AHRhlLvg5zL14TsrNLOL985qTdCez+LB2YN4W9GRiehT1UAb5hQv4IBc8PZV4svxG8BTMtJKgW4FJ8D/PnzlcSSLWYKduKOku+LuncfpCvAiCS1vDoJ2U/osYMTlOa',NULL,NULL,1795193737707,1795193737707,'vb1','victor-bulk-8d01c928-57324f5f',1795193737000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('92F34AD50943585173F5B56C7812E0A6','victor-bulk-8d01c928-57324f5f/fake.csv',1,1,1,1.0,1,0,0.1,1795193730000,1795193730320,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('56B552EFF253F4D6BB298E72541CF32B','victor-bulk-8d01c928-57324f5f/',NULL,1,NULL,NULL,1,0,1.0,1795193730000,1795193730346,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('fake.csv/load/1','vb1.8d01c928.c2ZvXJ3Jzcq4xSEHRqeWjtEJY+tQNfkuZnZ0Ef83T8Et3OOwsAsKqSfyF8B5Sv8gfqFMt9fTuP8FXlkzU5FiMHXn08orLMufOSmTXIgMyLlC8a9Ep22rCP+utaUOELJTvKQK4jcOfSEXVHOuSIC1nAJUoMDlW4Yk5oZEwuLa1xSsYEPJj/8m3wJvXcMVRm/hZNlq7LBEdzGVer02PgHnTU5Tjcwv0+IMdDptFpKxoOv7emXhV87DxhgG7p0cmEMYgxIhoHpSLZjz2gsrebfk8CO97gv6hUTuE1rlWiiPMw==',1795193730000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000001','vb1.8d01c928.b/ChsooQ8INUcZqUFkWK2hkuvUNtMeLiHQAdMJ90PMHj2BDA8+J3Yi5uDrhLBvDkdnqYxLK05gu+D9RWhWxQXjcLALhfLVjC4/Bsg07U0sWQXn635BDjUjyb00k86i6I/seuJAYqcIhqj2LBhJuDBYj6gNOge6IUFBaYLHptrSkxfxr+jfnptxWfGTi05TAIj7StH48tgegprME6bVHfAP0ppxH/DKyPbogUblb4cYWotg4LmTjyLVoG78fkaZ1hoysa9+PR6TIjDvsLnJIitPJCyPX2EUIzuwpX1/g+ieFfeQRN+gd30e7oaX8W2DpRsolR4/cECBxteNSaslUsfyaOaYGq+FyIb0XxzHtDQMnshtpb9o9segjqA8UHpEUrP8nGGHfUEniwE+LZYYkOb4zkBGQY5aQ+n6NdMdudtpF0cNIEfxBjUUHHGasmoWCjErB4yhZ4ICwltodj92DsgIPoc41V7kCHOflL06/6CZwCsmJ5zWy4Cp4aHcTA6csRfCToDpyxDiNwrkoYnJzf/yj47i33wuEwBnJeNEsjnlUe09jDKFW3HihgEZ/fQnYs9/W07qH/4CIbCaGYiCj25HbxzsstyJmmq1uKfXwbECQQDwt7EQf4UlsLkbU/7whmTWM9S2b8av3fV+lRFoaxHwqBq6Gs2DsimSmnaLXTqeeCsgIh7tgK+mYDFYASYH8Cxt4pSq3wDVNBrKP/XoGD5fK8glMzHHuq8KNbjhFdIN87cLWX/53y1Bk5zIZIoZA4zBgHvIdUtqqeFx+h',1795193730000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000002','vb1.8d01c928.Prm8FS8ZSJlXwdWH30cyhMe1YFpZ5AKCka0eQjQ1Vhg+Xc4G71AqCnxum+hADIFA/W/nW0M9ABIwOjMYIa6SR0YjZmwZdVLEzjpvmhVku85PZQiqWAsdujxvXvMNpC7wt2gpytYrtNcSJDdhEz81dc0gTCYyhuISJBfz+T/EgHjKdx2RAvJ+ASmtiRiqJK5NiblPWHB/jjPVQCsbtviFY0HpmAB4yvZEA3MEvTFoP+0uha1rjLLEowY3cmbAqE7cOLCYxhPFuiUVFx2aMHieewH4WIZX42EVYnrSMgQ4+Q/OqCLZTo79/JazneXeixCxn1LHYfu0N25iyh0zmMRv49arp23RBCBVsLFWyxZQ1kVqxrEOaOfyBXkDMdfhehdGV+dx/+a6461VTQmEhtEo+eACYydUDikOc3HFWG3jiPkncikXXPlZcockJTxq/KMFlRIFDi96H8iJcZImnxonCWec7lX4BYVxEl5/nCUoG8d54gQ8sdx8K0IMtyAU0Wb0SEHV12reQDgmTFZn2E1iwPgq+8djZRjXCZI3MZ+/qZu6JUwV9IWEGCHzYRQ3RAeBU2Cc1GC3fqoHIOLhYWtPtEUq2njX7BSoEtt/Tkx6YFEMIdhudrdniSLyb7FrViS2SyN2mkoGQclYpS50px77O5KNaK4U3DpgKZKgGEd3nOZ3cWf172QwJX6fHtHABHl8UEKyVkiYWJOVA+xbktceHneqA9LZoWxR/ywAkXUH2byFBUGT1Kg=',1795193730000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000003','vb1.8d01c928./eGYCpUtPnHncanxfubuYCuQBzsaQ3GEtmJZ283Nlm1P2r0qgYLelAAMZfZZKLnpkyqWwkcPnzuuEiLvsSePLMeMTDM6BTOv3BB5vIexDd41bYaJvxt9NYifyDJ3TqUFH7kHIIAfSm1QLtbRiP7mBMDqH7zybVHJfu/QWyUwE4qU4SMWcPlDEyoe7Aw7sq/SEncFod6nCCYOB45imEQ0DPBslTsDrJwDXPqi+JA0i5U+8NoaaEnHdmUQsh87KTBGbwxNgSZ7MlsDZ0ChoH2se3RU0rCNZ+u+cZJ+iYZjSHmoHimfbNTDawMLuCJAYVePZLXxb+U9gqzjLjGdXEU+qxynDa8JYigaXM1vPatO9G5uVogHe+yxAxcehnM6Rq+V+nBDsvD8A4Bp7d8sGwQVNQyuhzKHbFDV4UWVTLG8z2QRCYkwJ5D4mycGFmwjJHW6zh9z24GIElK1xnl09YOjCmfz3Z6V2ftW7LvY7gQ9tA4hS+WDKRnj5g==',1795193730000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('fake.csv/load/1','vb1.8d01c928.P4uDwxEismbEApB3A48ujn/4f/mZGV0fXbl0dXj5hvUaihZwhCruuQ==',NULL,1795193731000);
INSERT INTO "workflow_output" VALUES('fake.csv/00000001','vb1.8d01c928.828OCXVF4R12S9jJhGDplhrHd4f2XqPygmyN+m9taXZ1a7OLhnvAqsxilQL5b8EhaoDfcRnhxpl8TXKrWCGnfrMITOEuLOJ2JRsRWQAclQ==',NULL,1795193737000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('fake.csv/load/1','SUCCESS','victor_bulk_load',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193730000,1795193731000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/',NULL,NULL,NULL,1795193731000,NULL,0,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,1795193731000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','69e34ce6-bad6-4b13-8bc9-cf7ec7cf1072');
INSERT INTO "workflow_status" VALUES('fake.csv/00000001','SUCCESS','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193730000,1795193737000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193730000,NULL,1,NULL,NULL,NULL,NULL,'vb1',NULL,0,1,1795193737000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','a4087f64-3c8d-4c78-9d3e-6ef8325b3662');
INSERT INTO "workflow_status" VALUES('fake.csv/00000002','PENDING','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193730000,1795193737000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193737000,NULL,2,NULL,NULL,'dcc02381-4392-4f27-94fc-82d185dc8e28',NULL,'vb1',NULL,0,1,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','ca4ccf62-bb15-49ed-9ca5-6cbe3f6ec976');
INSERT INTO "workflow_status" VALUES('fake.csv/00000003','ENQUEUED','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795193730000,1795193730000,'victor-bulk-1',NULL,NULL,NULL,0,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,NULL,NULL,3,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','a20fc67e-f602-428b-94b3-23c03d097f06');
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
