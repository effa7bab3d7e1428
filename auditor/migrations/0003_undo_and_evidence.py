import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0002_root_marker_and_mounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='root',
            name='identity',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='root',
            name='noted_until',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='tombstone',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='tombstone',
            name='restored_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveIndex(
            model_name='tombstone',
            name='auditor_tombstone_by_record',
        ),
        migrations.AlterField(
            model_name='tombstone',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tombstones', to='auditor.run'),
        ),
        migrations.AddIndex(
            model_name='tombstone',
            index=models.Index(fields=['run', 'id'], name='auditor_tombstone_by_run'),
        ),
        migrations.AlterField(
            model_name='tombstone',
            name='kind',
            field=models.CharField(choices=[('orphan', 'Orphan'), ('cascade', 'Cascade'), ('emptied', 'Emptied'), ('relinked', 'Relinked')], max_length=10),
        ),
        migrations.CreateModel(
            name='Acknowledgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=200)),
                ('key', models.TextField()),
                ('field', models.CharField(max_length=200)),
                ('name', models.TextField()),
                ('acknowledged_at', models.DateTimeField()),
                ('user', models.CharField(default='', max_length=150)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('model', 'key', 'field'), name='auditor_acknowledged_once')],
            },
        ),
        migrations.CreateModel(
            name='ClockReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveBigIntegerField()),
                ('read_at', models.DateTimeField()),
                ('boot', models.CharField(max_length=36)),
                ('uptime_ms', models.PositiveBigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['position'], name='auditor_clock_by_position')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.TextField()),
                ('seen_at', models.DateTimeField()),
                ('reading', models.PositiveBigIntegerField()),
                ('root', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auditor.root')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('root', 'path'), name='auditor_absent_once')],
            },
        ),
        migrations.CreateModel(
            name='Fingerprint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.TextField()),
                ('size', models.PositiveBigIntegerField()),
                ('identity', models.CharField(max_length=64)),
                ('seen_at', models.DateTimeField()),
                ('root', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auditor.root')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('root', 'path'), name='auditor_fingerprint_once')],
            },
        ),
    ]
