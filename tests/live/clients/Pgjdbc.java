// pgjdbc: server-prepared statements, binary transfer, batches, fetch sizes, COPY, cancel, notifications, errors, 64 MiB.
// Run as a single source file.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Pgjdbc {
    static final int BIG = 64 << 20;

    record Way(String host, String port, Map<String, String> given) {
        Connection connect(String... options) throws SQLException {
            var properties = new Properties();
            for (var name : List.of("user", "password", "sslmode")) properties.setProperty(name, given.get(name));
            for (int i = 0; i < options.length; i += 2) properties.setProperty(options[i], options[i + 1]);
            return DriverManager.getConnection("jdbc:postgresql://" + host + ":" + port + "/" + given.get("database"), properties);
        }
    }

    interface Check {
        Object run(Way way) throws Exception;
    }

    // How often a statement must run until it is prepared on the server; -1 also transfers every type in binary at once.
    static final List<String[]> MODES = List.of(
        new String[] {"prepareThreshold", "0"}, new String[] {"prepareThreshold", "1"}, new String[] {"prepareThreshold", "-1"},
        new String[] {"preferQueryMode", "simple"}, new String[] {"preferQueryMode", "extendedForPrepared"});

    static List<List<Object>> rows(ResultSet result) throws SQLException {
        var rows = new ArrayList<List<Object>>();
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
            var row = new ArrayList<Object>();
            for (int column = 1; column <= columns; ++column) {
                Object value = result.getObject(column);
                row.add(value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : String.valueOf(value));
            }
            rows.add(row);
        }
        return rows;
    }

    static List<List<Object>> query(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            return rows(statement.executeQuery(sql));
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static Object parameters(Way way) throws Exception {
        var kinds = List.of("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "varchar", "bytea", "date", "time",
                            "timestamp", "timestamptz", "uuid", "int4[]", "text[]");
        var seen = new ArrayList<Object>();
        for (var mode : MODES) {
            try (var connection = way.connect(mode)) {
                Object[] values = {true, 7, -70000, 1L << 40, 0.25f, 0.1, new BigDecimal("12.3400"), "grün ☃ 'quoted'", "varchar",
                                   new byte[] {0, -1, 92}, java.sql.Date.valueOf("2024-02-29"), java.sql.Time.valueOf("23:59:59"),
                                   java.sql.Timestamp.valueOf("2024-03-30 02:30:00"), java.time.OffsetDateTime.parse("2024-03-31T01:30:00Z"),
                                   new java.util.UUID(0, 42), connection.createArrayOf("int4", new Integer[] {1, 2, null}),
                                   connection.createArrayOf("text", new String[] {"a", "b,c", "\""})};
                for (int i = 0; i < values.length; ++i) {
                    if (mode[1].equals("simple") && values[i] instanceof byte[]) continue;  // which it cannot write as a literal
                    try (var statement = connection.prepareStatement("SELECT ?::" + kinds.get(i) + ", NULL::" + kinds.get(i))) {
                        for (int turn = 0; turn < 3; ++turn) {
                            statement.setObject(1, values[i]);
                            seen.add(rows(statement.executeQuery()));
                        }
                    }
                }
            }
        }
        return seen;
    }

    static Object repeatedReads(Way way) throws Exception {
        var seen = new ArrayList<Object>();
        for (var mode : MODES) {
            try (var connection = way.connect(mode)) {
                run(connection, "DROP TABLE IF EXISTS items");
                run(connection, "CREATE TABLE items (id int PRIMARY KEY, name text, price numeric, born timestamp)");
                run(connection, "INSERT INTO items SELECT g, 'item ' || g, g, '2024-01-01' FROM generate_series(0, 49) g");
                Thread.sleep(1000);  // warmfront reads the catalog anew after DDL, and serves nothing from memory until it has
                try (var read = connection.prepareStatement("SELECT * FROM items WHERE id = ?");
                     var write = connection.prepareStatement("UPDATE items SET price = price + 1 WHERE id = ?")) {
                    for (int turn = 0; turn < 60; ++turn) {
                        read.setInt(1, turn % 4);
                        seen.add(rows(read.executeQuery()));
                        write.setInt(1, turn % 4);
                        if (turn % 10 == 9) seen.add(write.executeUpdate());
                    }
                }
            }
        }
        return seen;
    }

    static Object batches(Way way) throws Exception {
        try (var connection = way.connect()) {
            run(connection, "DROP TABLE IF EXISTS queue; CREATE TABLE queue (id serial PRIMARY KEY, n int UNIQUE)");
            var seen = new ArrayList<Object>();
            try (var insert = connection.prepareStatement("INSERT INTO queue (n) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int n = 0; n < 500; ++n) {
                    insert.setInt(1, n);
                    insert.addBatch();
                }
                seen.add(Arrays.stream(insert.executeBatch()).sum());
                seen.add(rows(insert.getGeneratedKeys()).size());
                for (int n : new int[] {1000, 7, 1001}) {
                    insert.setInt(1, n);
                    insert.addBatch();
                }
                insert.executeBatch();
            } catch (java.sql.BatchUpdateException failed) {
                seen.add(failed.getSQLState() + Arrays.toString(failed.getUpdateCounts()));
            }
            seen.add(query(connection, "SELECT count(*), max(n) FROM queue"));
            return seen;
        }
    }

    static Object fetchSizes(Way way) throws Exception {
        try (var connection = way.connect()) {
            connection.setAutoCommit(false);
            try (var statement = connection.prepareStatement("SELECT g FROM generate_series(1, 100) g")) {
                statement.setFetchSize(7);
                var seen = rows(statement.executeQuery());
                connection.commit();
                return seen;
            }
        }
    }

    static Object transactions(Way way) throws Exception {
        var seen = new ArrayList<Object>();
        try (var connection = way.connect("prepareThreshold", "1")) {
            run(connection, "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (id int PRIMARY KEY, sum int); INSERT INTO ledger VALUES (1, 0)");
            connection.setAutoCommit(false);
            for (int level : new int[] {Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_REPEATABLE_READ,
                                        Connection.TRANSACTION_SERIALIZABLE}) {
                connection.setTransactionIsolation(level);
                for (boolean commits : new boolean[] {true, false}) {
                    seen.add(query(connection, "SELECT sum FROM ledger"));
                    run(connection, "UPDATE ledger SET sum = sum + 1");
                    var savepoint = connection.setSavepoint();
                    run(connection, "UPDATE ledger SET sum = sum + 100");
                    seen.add(query(connection, "SELECT sum FROM ledger"));
                    connection.rollback(savepoint);
                    seen.add(query(connection, "SELECT sum FROM ledger"));
                    if (commits) connection.commit(); else connection.rollback();
                }
            }
            connection.commit();
        }
        return seen;
    }

    static Object copy(Way way) throws Exception {
        try (var connection = way.connect()) {
            run(connection, "DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int, body text)");
            var api = connection.unwrap(PGConnection.class).getCopyAPI();
            var lines = new StringBuilder();
            for (int i = 0; i < 1000; ++i) lines.append(i).append("\trow ").append(i).append('\n');
            long count = api.copyIn("COPY copied FROM STDIN", new StringReader(lines.toString()));
            var out = new StringWriter();
            api.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT", out);
            try {
                api.copyIn("COPY copied FROM STDIN", new StringReader("no number\tx\n"));
                return "no error";
            } catch (PSQLException failed) {
                return List.of(count, out.toString(), fields(failed), query(connection, "SELECT count(*) FROM copied"));
            }
        }
    }

    static Object cancel(Way way) throws Exception {
        try (var connection = way.connect(); var watcher = way.connect(); var statement = connection.createStatement()) {
            var canceler = new Thread(() -> {
                try {
                    var active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT ''canceled by jdbc''%'";
                    while (query(watcher, active).isEmpty()) Thread.sleep(50);
                    statement.cancel();
                } catch (Exception failed) {
                    failed.printStackTrace();
                }
            });
            canceler.start();
            String state = null;
            try {
                statement.executeQuery("SELECT 'canceled by jdbc', pg_sleep(120)");
            } catch (SQLException failed) {
                state = failed.getSQLState();
            }
            canceler.join();
            return List.of(String.valueOf(state), query(connection, "SELECT 1"));
        }
    }

    static Object notifications(Way way) throws Exception {
        try (var listener = way.connect(); var speaker = way.connect()) {
            run(listener, "LISTEN news");
            for (int i = 0; i < 3; ++i) run(speaker, "NOTIFY news, 'item " + i + "'");
            var heard = new ArrayList<Object>();
            for (int tries = 0; tries < 30 && heard.size() < 3; ++tries) {
                for (var notice : listener.unwrap(PGConnection.class).getNotifications(1000))
                    heard.add(notice.getName() + ":" + notice.getParameter());
            }
            return heard;
        }
    }

    static List<Object> fields(PSQLException failed) {
        ServerErrorMessage error = failed.getServerErrorMessage();
        return Arrays.asList(error.getSeverity(), error.getSQLState(), error.getMessage(), error.getDetail(), error.getHint(),
                             error.getPosition(), error.getWhere(), error.getSchema(), error.getTable(), error.getColumn(),
                             error.getConstraint(), error.getRoutine());
    }

    static Object errors(Way way) throws Exception {
        var seen = new ArrayList<Object>();
        try (var connection = way.connect()) {
            run(connection, "DROP TABLE IF EXISTS strict");
            run(connection, "CREATE TABLE strict (id int CONSTRAINT key PRIMARY KEY, n int CONSTRAINT positive CHECK (n > 0))");
            for (var sql : List.of("SELECT nonsense", "INSERT INTO strict VALUES (1, 0)", "INSERT INTO strict VALUES (1, 1), (1, 2)", "SELEC")) {
                try {
                    run(connection, sql);
                } catch (PSQLException failed) {
                    seen.add(fields(failed));
                }
            }
        }
        return seen;
    }

    static Object largeValue(Way way) throws Exception {
        var body = new byte[BIG];
        for (int i = 0; i < BIG; ++i) body[i] = (byte) (i % 251);
        try (var connection = way.connect("prepareThreshold", "1")) {
            run(connection, "DROP TABLE IF EXISTS large; CREATE TABLE large (id int PRIMARY KEY, body bytea)");
            try (var insert = connection.prepareStatement("INSERT INTO large VALUES (1, ?)")) {
                insert.setBytes(1, body);
                insert.executeUpdate();
            }
            var seen = new ArrayList<Object>();
            try (var read = connection.prepareStatement("SELECT body FROM large WHERE id = 1")) {
                for (int turn = 0; turn < 2; ++turn) {
                    ResultSet result = read.executeQuery();
                    result.next();
                    byte[] got = result.getBytes(1);
                    seen.add(Arrays.equals(got, body));
                    seen.add(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(got)));
                }
            }
            run(connection, "DROP TABLE large");
            return seen;
        }
    }

    public static void main(String[] arguments) throws Exception {
        var given = new HashMap<String, String>();
        for (int i = 0; i + 1 < arguments.length; i += 2) given.put(arguments[i].substring(2), arguments[i + 1]);
        var direct = new Way(given.get("host"), given.get("direct-port"), given);
        var through = new Way(given.get("host"), given.get("through-port"), given);
        var checks = new java.util.LinkedHashMap<String, Check>();
        checks.put("parameters", Pgjdbc::parameters);
        checks.put("repeatedReads", Pgjdbc::repeatedReads);
        checks.put("batches", Pgjdbc::batches);
        checks.put("fetchSizes", Pgjdbc::fetchSizes);
        checks.put("transactions", Pgjdbc::transactions);
        checks.put("copy", Pgjdbc::copy);
        checks.put("cancel", Pgjdbc::cancel);
        checks.put("notifications", Pgjdbc::notifications);
        checks.put("errors", Pgjdbc::errors);
        checks.put("largeValue", Pgjdbc::largeValue);
        boolean failed = false;
        for (var check : checks.entrySet()) {
            Object expected = check.getValue().run(direct);
            Object got = check.getValue().run(through);
            boolean same = expected.equals(got);
            System.out.println(same ? "ok " + check.getKey()
                                    : "DIFFERS " + check.getKey() + "\n  direct:  " + expected + "\n  through: " + got);
            failed |= !same;
        }
        System.exit(failed ? 1 : 0);
    }
}
