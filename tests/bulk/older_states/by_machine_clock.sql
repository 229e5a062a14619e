-- A bulk state as an older commit left it when it was killed; every name, number and secret in it is made up.
BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('eccf6607-1a8a-453c-b6f9-e974587117dd','victor-bulk-1',1795193767000,1795193767000,'victor-bulk-8d01c928-57324f5f');
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
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',1,'begin','vb1.8d01c928.SlG0CiUvylFTg+NjZC3Hsi+67Zr/u2JbVgQcW6VHVGpS5UZfC0NnmCqWY+IqVmL/EpHrnfGvdWovhl21ZiAxlND4btEdtW9KWyoeOEXT5tOhoGmqovX9yKK2qyGpmZtQGSjukPeaob5Kxq/Slzjzpgx+',NULL,NULL,1795193767345,1795193767347,'vb1','victor-bulk-8d01c928-57324f5f',1795193767000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000001',2,'send','vb1.8d01c928.96GJ+h5oJCKLufswQE0PKimAVkxjLUDyIkov1yHgWcc03K5IgYIdRM1JFR/nNAOhdf26ldWST+BrxVmISmY98qgMB1VoJFMTCpg9sJcHRi473nltHzVUPVUp9v2G/N//RaFtt26bT8GMKnpC7oZUtoP3sOuKpcCChDDMGZ+O/rzbBvFy9bEcZzeWP9KW68r3dzv8rte0K+3TcCgqB6csryQhMyBw4BhdYDXs3o0X0iUOgve5Mu9bEVbSAvwpDNfGi5b09ifDhb+WgoJ/Gg9xdjSGSfKYlOguXEKSHkz10yI6Qy5I0hR30rUkthraVmD/sX3tHD1QMlfnvOYMLRvNh9l94FAZiGHeqHlNgBICo7+UjVTpTYv2Yvx6FVPOS4+3HlUazGOOVLCbwq46FJAO0y8ie7qVeKdY4ZVrXNHbBicKMFrq1H5FPVvRVOfGXL6HlGqU+blZAHFKBq8zKmhFLUvEW6g9IKvr4nYaAcek8pQ6sXxWnINcoc3qTk9CMB30x2Hue+Qc9wSPynyXICRXTdXqMxb/Tn/G3ucuXQKpNv2jnWBQqybnuOOQfpcJQ5oIacEW6JNH3Kjewu5tlh9MaXg4cJfxgefTTz3N+m7IJoux5SuMPLu9c5+I9MIuzvuPAfMi/74bFY73i/7dJ5Y/vMf6xKeQbObNar0eIUfu3paKB1WQO7By/zyPkliA9keZERQaDKa3Msfdwgv9A5iWMLwV2ccdLde6KAWsSkYtFiMTiKMf9z5w0eYjpVXhaEM=',NULL,NULL,1795193767405,1795193773817,'vb1','victor-bulk-8d01c928-57324f5f',1795193773000);
INSERT INTO "operation_outputs" VALUES('fake.csv/00000002',1,'begin','vb1.8d01c928.DHDI4q4nB67j6SdlSEDwcC5GxevbJIlPOvzGYKcaEfOhGxijTNMyemXDac+tB9RrhgCrEdWoraLwGmYnYlWKQ9zNFaAGpw81ZNrsPIs1qFfxwEF71Dy5LJaMXZCqbq1IV0b53vr5dx2LWbQ7i6c4/JFF',NULL,NULL,1795193773886,1795193773888,'vb1','victor-bulk-8d01c928-57324f5f',1795193773000);
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
INSERT INTO "queues" VALUES('431C0DC2E75AF5CF6B386687ACECC6E9','victor-bulk-8d01c928-57324f5f/fake.csv',1,1,1,1.0,1,0,0.1,1795193766000,1795193766940,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('369F89DA74ED4D10ADE073FF8BB76083','victor-bulk-8d01c928-57324f5f/',NULL,1,NULL,NULL,1,0,1.0,1795193766000,1795193766981,'victor-bulk-8d01c928-57324f5f',NULL,NULL,NULL,NULL);
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
INSERT INTO "workflow_input" VALUES('fake.csv/load/1','vb1.8d01c928.gMiIhoy84iEYdtFLs9KnPJdl5etAB9e5bSU5pJaJYhh9S+TIpLWzRV0M1aoMuQKDe9zvtupjunkoYS4ZlJWlIJLYE9YCHntqgxs2yrbETesek41iu8tbfirc8N1HoL6lpdOQk6narvCaS6aUXwNGIOT/NEUKwoDfTck4js/sd3hEkhzErkHeBsngQuVGjurQwrTYA1fofsWNMb8Flq2V9cEkbv1olxG9RSAAaZTSTAHUhuFp2FWHYeSn1yn+EQ6jVx58UiyJmd8kNnfkjO//jyndTdMZ8Ub45H8RO/SawWCVCUpUZ+y8BV11bQoouxpxdwH4Ypko4VA0iSSfJwTPqPBhNWuttOQdqcEF7iIvoGwxw3rh',1795193766000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000001','vb1.8d01c928.uzs6806IutehsmuBVFL6/tOilEx8WLZ/g/uvNtQ6ANWXl27I6Tfk7rW3wJQwkwJxwhJjDybOs592lFsqCbNvw0OD4gifRXlJ0dbKbP9f07c2FsKRNeJkCRqftDRFu6FJE4jaaFv8cqYq6b+I2zDABfe40/YjgOZpFHmjR2/pZ7JQdsiRqDXe+fHfFL0vDh+85v2csJoTFFYZeNAeU/WoKYLopKr/FBmO7UaIuXtnHnahDOW/lykPblwERtwG+PmnuVUPad/OYI/y1nsxKJSEGR2X7JX1p7Qvgy5EROD9U/VAs2v4L9h+bGdQstfBb/hOG9HLqb2dlI4/FUJZQuG32DgHGHESvSyQOeaoZHf4tpuolliNWEZ0PgTwGmRVTZ1XwZyTT8fLNjhA7hZ6V26UTSzJc5sbbXckmur5Hs1nlRcftFfUIpQFe5E6twyfQkyfAEp8j+frjX6QS9nwCYR7vLF9aHzvSC11vVMagdtu9jj4oL+NFsDQPh2YYZQmA9hkJOwUUpUZjjsrn9XxU2YSGL5Vu5QHn/Ah06P9CuqQeCh59XLEDbwt/HNKnERahuUQoyYKDDoHQ2VpO9yJTNf5SMTWaQvI8KetFAUSrtrlNNC1amzwuZnQVssZWHBq3Vecn327KCYybcQElLE0W5BPyVqroL6Eq3iGQUfoFAW5SWpFmYFM1s3xvlWDxg3t9F3h1RR7fsmUtWP/pTTXRLgYqKDz2yWhIOC07QtTjyy+IHRTJWYKGnKwHGJwfLUg6JXQbgkl7jrnEWARsxi128p0bCKNjxxjXqRTTp9lOFOqO/imO6Y9',1795193766000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000002','vb1.8d01c928.LcUF99uuO74LQgYRZl35hMWWOzVVhdWPV/x+L2hmyofgCvokL7eMoN/A4nlvFcglZVyAWPa2jYwiTcGiTZ37jdN7UQaqpeIc162g6tNBitQ8PizMtX+76yjOebw7x7gARGs/MI4fWjov8DiR4xtujDsMzx+AzuZ6TnN/VPhSNgUXsVjwhkufykclViAOAUGJxtCbAJMsY8z0LeuyZl9NA6eRvzcb20ETthhLg2iYlVjiv2iAm1nXV6f/skJYgDxcmFxjaQsEJRZW/ClthPxnM2TzhjfQxzpUnOyOHax/8SjBQyRKGlFaJYAOf/iHV8mbvL/CX4sYiGNoT6PlsIUaGwhb0uKRKFyml9wqkkmbqWv3dXbXQsyYzobhS/6UOzhr0zEXRaSVUrjTDWo0qD4VAvA7LieVIAAscAE407A7DwlEHtIFWIRyFmdXjgvc3FZGmACMg6bNzgAOw3/C9OfNWTp6EtZYayTvqCjzAsbfH2PCWnUWaAKQcAw4+duZgnp3a2VHhHkjZxaOTHpPClK9/cHVv5wwvMXcIIQITV431rYQHal53vtTR/PfzNo3Sm/3vbjvtBRmRDoJ6ou5tXzTzkNmY2za900nLuZvKUZW1c3jHcd0leT7x63ZNGvFs+5STlnHjWMkSpU6D9pWiILIlzK52B7xp0/WtIn9CtP61cWbPrX0e6Gy91JHvp153OIPZHWxtRd7y0q1kyogKLKInAVX9UcautiBCC5IDcDviGSjj48BeDrQT5i2qs9AIzIBXw3TMzHiBw==',1795193766000);
INSERT INTO "workflow_input" VALUES('fake.csv/00000003','vb1.8d01c928.1Uu4h7X4j8Y9fkLK+uWUDSf96KC+NhpDpPqWZhWN/zhOMzDxQCRh1y0QjYlAIuDnYlHHEJBK6GqfmPpmeDyrRWdX3PbHiUT6hJMQU0EnSOtmob2UGr03Nycds0xuhDInqGAxp4UBLHiodexlWlH+YazYGTbRdn/kjqizFUneE+HLps/WLq/81VUJKNKmylJWK6nD7+agmKhfxoxt567OvrM+QpZbszStfJ2Nmh5jZltcxcWVWHVV7tZTJBmIh3TYvYLd/VPSH6195Rdk6//BPNFmKpeuYDYZC2wz90RiNV+YbfC6FTFU1G/P6Dl7CXMEqJ/kmP4cokI0h7YxB9SM5Bq/Npz2Z82Z2pEksJjyCC1JfD7Auq1ilI6ACKWaeOcWE7nvquTPJwyzJGc/+sHIMTTcfSSPQ4N1G+jtb5U9xTh3HPwnm4uZMRm9G8S1feubiZvXZz4ZlElC+W6/zZ8zOenhB/TpF8qEgO+nwe+tqte2YYWuf/pMfq6Mn+NXOfMZxnRX1ZTkeoRUAa4ChjEJHzY8xQ==',1795193766000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('fake.csv/load/1','vb1.8d01c928.kXDDfrBirPhZcLgS8qWoZ53VlJUnmoMbEBwiyZcYPyfSUfwilKuz0g==',NULL,1795193768000);
INSERT INTO "workflow_output" VALUES('fake.csv/00000001','vb1.8d01c928.1OTopkTQh01teEr8uD3kg8G5nRe7kAXkRg77RutdLWdehk+DrOMAFZpqr0WiyFJ8lm/Ypu+tbJJIuh7X5wxqa0ZtWGtDj6xQJr5venfd3w==',NULL,1795193773000);
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
INSERT INTO "workflow_status" VALUES('fake.csv/load/1','SUCCESS','victor_bulk_load',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193766000,1795193768000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/',NULL,NULL,NULL,1795193768000,NULL,0,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,1795193768000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','532d1d05-6169-473d-b5d1-998a8cafe7ef');
INSERT INTO "workflow_status" VALUES('fake.csv/00000001','SUCCESS','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193766000,1795193773000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193767000,NULL,1,NULL,NULL,NULL,NULL,'vb1',NULL,0,1,1795193773000,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','03f845eb-7ffa-4626-b0ea-21ddc87d492c');
INSERT INTO "workflow_status" VALUES('fake.csv/00000002','PENDING','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795193766000,1795193773000,'victor-bulk-1',NULL,NULL,NULL,1,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,1795193773000,NULL,2,NULL,NULL,'76b95505-cb56-4d1c-9fd6-a7a559f81f67',NULL,'vb1',NULL,0,1,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','a7f8f160-d140-40f8-9064-9ca6aed19e9c');
INSERT INTO "workflow_status" VALUES('fake.csv/00000003','ENQUEUED','victor_bulk_chunk',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795193766000,1795193766000,'victor-bulk-1',NULL,NULL,NULL,0,'victor-bulk-8d01c928-57324f5f/fake.csv',NULL,NULL,NULL,NULL,NULL,3,NULL,NULL,NULL,NULL,'vb1',NULL,0,0,NULL,'null',NULL,NULL,0,'victor-bulk-8d01c928-57324f5f','201bc598-5e1d-42b8-ab4e-6a4b5953069d');
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
