from django.db import migrations, models

from auditor.auditlog import append_only


def remove_triggers(apps, schema_editor):
    """They are made after each migrate, and these new ones know of pruning."""
    append_only.remove(using=schema_editor.connection.alias)


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0006_audit_log'),
    ]

    operations = [
        migrations.AddField(
            model_name='head',
            name='pruning_until',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunPython(remove_triggers, remove_triggers),
    ]
