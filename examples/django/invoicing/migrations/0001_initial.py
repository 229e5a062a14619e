"""The table of invoices."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """It makes the table."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("counterparty", models.CharField(max_length=16)),
                ("due_date", models.DateField()),
            ],
        ),
    ]
