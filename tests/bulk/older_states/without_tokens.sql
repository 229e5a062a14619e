-- A bulk state as an older commit left it when it was killed; every name, number and secret in it is made up.
BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('aa77d906-2dc9-4d27-af92-ec6de27b062d','victor-bulk-1',1795193749000,1795193749000,'victor-bulk-8d01c928-57324f5f');
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
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',1,'begin','vb1.8d01c928.o80U8JFzDXl69QyFQn74UESS44ganBpzNiuwAk/fbrrc4WLBY121dXf1Rx7FWM1v0LyM7SPxplHShaw0sOcUJuCS+ANPkSoh+ALbzhn9dkvRO1Owj5Wxut5AGyhACCjmqtU6qWot1B+ov+0vxbvNLkI=',NULL,NULL,1795193749701,1795193749703,'vb1','victor-bulk-8d01c928-57324f5f',1795193749000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',2,'send','vb1.8d01c928.WBvT71dJmtfAHLjHSeRBD4d/HJ2BAoML6B+DLsdXBKlLCR14xdiTsYb4tJjZvhyArZ/u07BAhAyj6rXaYDaFfo/ANiCbKsmsFiDnNMoLuKbOee5LqnpPCcZttrCOTk6DVbJkWS5jEmPg0PATqsJCzLqNEOorcUCYEwgmXYsCKqDzYMG4KzR5FqRavtDWK5epo6vO3cLaCg8xGp7p9ZpigKELwACr362ONJckKkZnqS7s+7XlOMvp9GOsk4sP20itu08ActAv6O+d1YBnVo+sht9gmW6k3rkJCS+1fvy30eml1Epbl0iAwwwgJAeXhatWkgbZRj9gvcO8zLCfw9vneLG0CnofziHq8lMEG8w4r2sKRtdtnCi6SaBoswZxU4fzt2sT4jQQTTB0uGBsp8HiUFJ/gbvwVlhFqB7odkctsfD/dmw8o0pXfaguEWSkPqYoeY/o5vQFd9+6D/APas2k0qRxfYpAZemRT+aAZSPdMynH5A8pKYYRPYrsBS1s/7osoGbrUkWXARDOhjHKJTItyvXVqDrSkbs5n8LG2cmsw9tQ3zBul9ka6JwLeipigX76w937n1Gm6Z3HLsVMclw0aOYdeL1bV5ikpp8pdK+4b9bDsjKPYZb1tkksPKSOPtSMiODEfcsQoxbRoWR9Q75sMqHR4xmcIKOo3aE9ak9/pZHuUM5T0U9mWflTI9NIswRoSgUkT4mgUL79ckQD3dtqvvo4vmtw2YW/Xl6+vLa4w64nUJQESbFoGU26/+GpgT0=',NULL,NULL,1795193749710,1795193756189,'vb1','victor-bulk-8d01c928-57324f5f',1795193756000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000002',1,'begin','vb1.8d01c928.HhtDbBBB8Vyt52Fd2Y2kTswb/UjUcM/RVBCQjeXuLbXw0+dDYrCfPZtKDPOAl0CHbr1AmZ3ZomV+Vo67TcYxjaxpRcoGF6AT12VUPiut+ryG8Y9vggiK7MSViafEwnReOiAidv7cXiBDoNts4fCNT7DbWAY=',NULL,NULL,1795193756261,1795193756262,'vb1','victor-bulk-8d01c928-57324f5f',1795193756000);
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
INSERT INTO "queues" VALUES('DFE086612199C0D8B4D997CC4C81153B','victor-bulk-8d01c928-57324f5f/fake.csv',1,1,1,1.0,1,0,0.1,1795193749000,1795193749314,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('0B84BEC82CF4EA4A399768BAA1871174','victor-bulk-8d01c928-57324f5f/',NULL,1,NULL,NULL,1,0,1.0,1795193749000,1795193749334,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
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
INSERT INTO "workflow_input" VALUES('fake.csv/load/1','vb1.8d01c928.rFZP+vWIGUx6+abd1ZL7O3YGqVS1x4/vRar6encF9J1rGeHnBTS+Vl3hG6AaQPGXuzx5B8l2XU/oe0fHwTZPm6++dKXBqxwdHmtBnsbb6XGRorqykjILU5LAcBGBe5ahu3QUGC4sKkEcIlNdSV5FGsWOp+Qmji3v6FkztFkpQpFgKqJXB/m4WdPirJCBpNdh/AgWXT/VjVgGGlU9QTUSJO/4yeBJqrA7PHbvJC9w9xl+zUErC719/VYv0uJBUfOu39HnvRhSAcnxGA/24X3sV1vma9t4Bs8q6vn/cUV6Xw==',1795193749000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000001','vb1.8d01c928.n02Ia54Jgajibz181Z07KNTKCJmun0jsh6RiMzZUmj2tCV2kYuoZ+Me1ofHds69Bs3kPEqkJHElZrLMARrpnD5BW3GzfQ29UTVxB+6y62uRAFwc3OCd6dt9QA0tCsa6Gfvqocc7om3DLhS5YVZTCmQc0QjAOHyqHGztXeInvtXR55zp4tThWNLTt1yuk9JUyZu5mMFHi8JdU+S9vl0uhp/uHoxb0U5uJ5/itBox1/a5RcBAVVbDha7CcQsOmwrfpTShFMpLpSGnR2D10cSNfHgGjee3culFX9BmqxkJpRA5KVtA5VHCqVWpuj8HEgOHWVW98rKt5WpDoG+BXkcAxmugao93zrMagsFtzch5HF3FOrybJYM2yuJmkFLza+5mHjhoI4qnR8ZcSH0AlQ3C+4a2b6Wa9rOiJx8h5iwnTGOi7fEhlL1tSY58qqPdgfuTS7X9MJfCnzR9vQuPFMjAYjgqZQcj119Zz4Hwz8yQlvA3v/N3fgc3N06E1NAwFexC6+0OSzsWtTTlOP8LtYX6C6X1H5ddoiDbmzd6XxR7ARnhsKF+QVAQyw5m4fezP+7YpSEJjRh5qWuA3XpbxH9R5m75vGaYIi7Icij0SN/Iya/f6THpzIl8XCQHnxpgTCReBsUZllj8RnTYaOVASVEEL5JRvgKI9TwcBMHG0M6sJjGC6hBwuKHfJHGd84kgGryGTtjU8FxwlLEapQ6I/fNJ5CJoV6IU1nZPGDHQkqBio6oTGd5MFty9lY6cfkp8HLotUM9u9N3g1jw2F+0y+IpQ=',1795193749000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000002','vb1.8d01c928.i2S6GiC2hmy8aelNaZ5y3GadNsXTkJuOpgo3sNxvmD0SHlegjUwvB9cMbWEVXbIJfYjlV0x7IOd3Q0jsDb3PmhqrecCUJ3saDbpnERjkm2IeMPmohZacAb+XUySRqGrXx0R8yQOA9VpOhp4QvH5dcFH8ov0l3tD1NgX/mcDd1d3/HEtQLj/4HxuO6TOZ6LaJsT484ujIHn95UIhALXXi7Q5zdVP5dSiXxRHUidXENhaNf5llpPTxt1rJPZk17+aVfkLPTvzniCh43qqd8+9FQ5WID/M30pk4Otq0DbNC8la5CSz0dLmEIbSpMkfMuo96lks/edd4ocg9XbR8aEgxylNk8gnzntpFJUIuTJrR2udqrRJ1Biz4bS+R3N+OVhYJRFwHr56LI3wcxUu7Z89eZEOuqCEgtf+cERqOVZKLzmRqm5ZL0KNWEUk8sUpfxD9XZOTZrn9NPOUKLaFdHo75wsFMRIfV0bcyIRUmKaNzYy3GU7gBfDPsS560DTeIORALQiPtdYC27A5rHDoOMetahugO4hiwW23gjxm1EGlE6iTKuXtzfmtS9r3Vs24byg+s5/I8Y4JNy+/1740sYu2YpyD5zzHbUbkypqHgE9Ai4ML40NtOOb+y9YGzLrcwWbZ4uiPq3gFbU/1l/5EU0V8TtyGwDLq78OJ9spcDRx4q5MVBUpZ5avUn6RgGJR5atTLweZTxjspWMwbvbp7Bn5CFxb5StAaCHNgsaIqLhmjBk6Hflnc4',1795193749000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000003','vb1.8d01c928.pTlx8liomu3KqufuwalHhsLIKy2VPZuVa35ts8QU3UUhyl49znz86KhIN9PmrLw8kWeAFet0LxQJklD91XT/AZO4JJRhPsILn9yI49jhve0FYSxsyxML6GZAOmabNFfEWCFbyN8vA4Zu8oX8ZuwKu22DtWSC3x9yYfytKgaoGGxVI2SRBjd7Tfi+0XKdnVnfRT6W6evAy1tVSjkOILQz9pxFBPerXNPHxS07UANyfFTqzJyyPPQEf4ut1KlDydwhh+xfu/iL2GWt5nNKgoRHURqA9L1F09y0Sd7pi24836OsKIMzIIxl8Va2u0m0CptFL/djfNAAs7CVxD783RD4IczxyPmGuLJm+9bLozk123/hiinjwUO3kVrewH9V1v+AG5LzLC1ewuk3b+1a9EoupHok3lLM3c7ToVLUBkeCxnryPyTk62mzJv/PFaJxh7gPo8/8KUl2EuyvEFQ4WSn3isWr0qSzurD8yf3JB6Xf9/sHPJwUu9seYj9v',1795193749000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('fake.csv/load/1','vb1.8d01c928.gTHrouHsPQ/bM+lfOhd6BeEqKcjyuvySMDCWRMxySvZ0GfuveFn4kg==',NULL,1795193750000);
INSERT INTO "workflow_output" VALUES('fake.csv/00000001','vb1.8d01c928.WxZbwrshGqulvqoLKOwfkHD2nL+4LlcZvciMRLND1TCz513dNt4KlBbmXVk1jXiTSFY4u0Lmqp0TawNXEFvRPRUPz14UYRunVvjL7LakIA==',NULL,1795193756000);
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
INSERT INTO "workflow_status" VALUES('fake.csv/load/1','SUCCESS','victor_bulk_load',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193749000,1795193750000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/',NULL,NULL,NULL,1795193750000,NULL,0,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,1795193750000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','93b52da5-2cf7-437e-a145-e7eaccae328c');
INSERT INTO "workflow_status" VALUES('fake.csv/00000001','SUCCESS','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193749000,1795193756000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193749000,NULL,1,NULL,NULL,NULL,NULL,'vb1',NULL,0,1,1795193756000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','c2d53e85-47e7-4d6b-a34b-27e15a13c442');
INSERT INTO "workflow_status" VALUES('fake.csv/00000002','PENDING','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193749000,1795193756000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193756000,NULL,2,NULL,NULL,'6d0f1ba6-b664-4ec7-8bd8-63a449fd3f60',NULL,'vb1',NULL,0,1,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','588f1b32-5582-45d6-91b5-fc75965c5f6f');
INSERT INTO "workflow_status" VALUES('fake.csv/00000003','ENQUEUED','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795193749000,1795193749000,'victor-bulk-1',NULL,NULL,NULL,0,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,NULL,NULL,3,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','00f68cae-5e36-4481-9814-8ba4b31aefb8');
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
